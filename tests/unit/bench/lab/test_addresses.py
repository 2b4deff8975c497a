import os
import socket

import pytest

from featuresync.bench.lab.addresses import lease, port
from featuresync.errors import BenchFault

pytestmark = pytest.mark.usefixtures("own_blocks")


def test_blocks_are_held_until_released():
    blocks = range(200, 203)
    held = [lease(blocks) for _ in blocks]
    try:
        assert {block.number for block in held} == set(blocks)
        with pytest.raises(BenchFault, match="all 3 blocks of loopback addresses are in use"):
            lease(blocks)
        held[1].release()
        held[1] = lease(blocks)
        assert {block.number for block in held} == set(blocks)
    finally:
        for block in held:
            block.release()


def test_whoever_inherits_a_block_goes_on_holding_it():
    blocks = range(203, 204)
    block = lease(blocks)
    copy = os.dup(block.holder.fileno())
    block.release()
    with pytest.raises(BenchFault, match="all 1 blocks"):
        lease(blocks)
    os.close(copy)
    lease(blocks).release()


def test_every_address_of_a_block_is_its_own():
    block = lease(range(204, 205))
    block.release()
    found = [block.server, block.admin, block.without, block.inner, block.phones]
    assert found == ["127.2.204.1", "127.2.204.2", "127.2.204.3", "127.2.204.4", "127.2.204.10"]


def test_ports_of_the_one_v6_address_differ_between_blocks():
    ports = []
    for number in (1, 2, 254):
        block = lease(range(number, number + 1))
        block.release()
        ports += block.v6_ports
    assert len(set(ports)) == 6
    assert max(ports) < 32768, "below the ports that the kernel gives away"


def test_the_preferred_port_when_it_is_free():
    free = port("127.2.255.9", 0)
    assert port("127.2.255.9", free) == free


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_another_port_when_the_preferred_one_is_taken(kind):
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.2.255.8", 0))
        number = taken.getsockname()[1]
        if kind == socket.SOCK_STREAM:
            taken.listen()
        assert port("127.2.255.8", number) != number


def test_an_address_that_is_not_ours():
    with pytest.raises(BenchFault, match=r"cannot bind to 192\.0\.2\.1"):
        port("192.0.2.1", 5060)
