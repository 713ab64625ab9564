#!/usr/bin/env python3
"""usage: packet.py ADDRESS      exit status 0 when a packet from that address of this host gets in"""
import socket, sys

receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(("127.0.0.1", 0))
receiver.settimeout(0.3)
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.bind((sys.argv[1], 0))
sender.sendto(b"x", receiver.getsockname())
try:
    receiver.recv(16)
except TimeoutError:
    sys.exit(1)
