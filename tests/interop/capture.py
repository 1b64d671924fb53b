"""Judges captures with tshark: nothing malformed, no wrong checksum, nothing but what a comment explains."""
import json
import subprocess

CHECKS = [f"{protocol}.check_checksum:TRUE" for protocol in ("ip", "tcp", "udp")]
# tshark notes what a peer did that is allowed; these groups mean that a packet itself is wrong.
# The two zeroes of a checksum are one number; Linux writes 0xffff where 0 is usual, and tshark remarks on it.
WRONG = ("_ws.malformed or _ws.expert.group == Malformed or "
         "_ws.expert.group == Checksum and not tcp.checksum == 0xffff")


def tshark(path, *arguments):
    options = [part for check in CHECKS for part in ("-o", check)]
    return subprocess.run(["tshark", "-n", "-r", str(path), *options, *arguments], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True).stdout


def packets(path, display, *fields):
    """The fields of the packets that a display filter takes: a list of dicts of lists."""
    arguments = ["-Y", display, "-T", "json"] + [part for field in fields for part in ("-e", field)]
    return [{field: packet["_source"]["layers"].get(field, []) for field in fields}
            for packet in json.loads(tshark(path, *arguments) or "[]")]


def check(path):
    """Raises where tshark finds a malformed packet or a wrong checksum, or where there is no packet."""
    total = len(tshark(path, "-T", "fields", "-e", "frame.number").split())
    assert total > 0, f"{path}: no packet captured"
    wrong = tshark(path, "-Y", WRONG)
    assert not wrong, f"{path}: tshark finds wrong:\n{wrong}"
    bare = tshark(path, "-Y", "not frame.comment")
    assert not bare, f"{path}: packets without a reason:\n{bare}"
    return total
