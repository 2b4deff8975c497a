*** Settings ***
Documentation     One vendor's run: the server's state is written down first and put back at the end.

Resource          ../fixtures/server_state.resource

Suite Setup       Take A Snapshot Of The Server
Suite Teardown    Put The Server Back
