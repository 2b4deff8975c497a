import datetime
import ssl
from ipaddress import ip_address

import paramiko
import pytest
from cryptography import x509

from featuresync.bench.lab.certificates import issue, key_pair

NOW = datetime.datetime(2030, 1, 2, 3, tzinfo=datetime.UTC)


def test_certificate_names_the_addresses_and_is_the_authoritys():
    made = issue(["127.2.9.1", "::1"], NOW)
    certificate, ca = (
        x509.load_pem_x509_certificate(made.certificate),
        x509.load_pem_x509_certificate(made.ca),
    )
    certificate.verify_directly_issued_by(ca)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("127.2.9.1"), ip_address("::1")]
    assert ca.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert certificate.not_valid_before_utc == NOW - datetime.timedelta(hours=1)
    assert certificate.not_valid_after_utc == NOW + datetime.timedelta(days=30)


def handshake(tmp_path, made, name):
    """Client and server in memory; raises what the client says of the server's certificate."""
    (tmp_path / "c").write_bytes(made.certificate)
    (tmp_path / "k").write_bytes(made.key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "c", tmp_path / "k")
    client = ssl.create_default_context(cadata=made.ca.decode())
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours, theirs = (
        client.wrap_bio(down, up, server_hostname=name),
        server.wrap_bio(up, down, server_side=True),
    )
    done = set()
    for _ in range(10):
        for side in (ours, theirs):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                continue
        if len(done) == 2:
            return
    raise AssertionError("no handshake")


def test_a_client_believes_the_certificate_for_these_addresses_only(tmp_path):
    made = issue(["127.2.9.1", "::1"])
    handshake(tmp_path, made, "127.2.9.1")
    handshake(tmp_path, made, "::1")
    with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
        handshake(tmp_path, made, "127.2.9.2")


def test_ssh_keys_are_read_by_paramiko(tmp_path):
    made = key_pair()
    (tmp_path / "key").write_bytes(made.private)
    key = paramiko.Ed25519Key.from_private_key_file(str(tmp_path / "key"))
    assert made.public == f"ssh-ed25519 {key.get_base64()}"
    assert key_pair().public != made.public
