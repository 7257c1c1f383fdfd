#!/usr/bin/env python3
"""Writes an initramfs with one program in it, /init: an uncompressed cpio archive in the "newc" format (Documentation/
driver-api/early-userspace/buffer-format.rst). Uncompressed, because unpacking takes minutes where KVM interprets."""

import argparse
import pathlib


def member(name, mode, data=b""):
    path = name.encode() + b"\0"
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0]
    header = b"070701" + b"".join(b"%08x" % field for field in fields)
    start = header + path
    start += b"\0" * (-len(start) % 4)
    return start + data + b"\0" * (-len(data) % 4)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("init", type=pathlib.Path, help="statically linked program")
    parser.add_argument("output", type=pathlib.Path)
    options = parser.parse_args()
    archive = b"".join(member(name, 0o040755) for name in ("dev", "proc", "sys", "mnt"))
    archive += member("init", 0o100755, options.init.read_bytes())
    archive += member("TRAILER!!!", 0)
    options.output.write_bytes(archive)


if __name__ == "__main__":
    main()
