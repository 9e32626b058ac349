"""Ports that tests give away: no two parts of a test run get the same one, and servers can come and go on them."""

import socket

import pytest

from tests.postgres import free_port


def test_a_port_that_was_given_away_refuses_until_its_server_listens_and_again_when_that_is_gone() -> None:
    address = ("127.0.0.1", free_port())
    for _ in range(2):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        with socket.create_server(address), socket.create_connection(address):
            pass


def test_a_port_that_was_given_away_is_nobody_elses() -> None:
    port = free_port()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
