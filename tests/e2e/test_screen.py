"""The screen and the hands: the desktop follows the viewer's size, keys reach it in its layout, the pointer lands where it was sent."""

import re

from desk import console, wait_console, wait_ready
from host import Host, need_kvm, wait_for

need_kvm()


def sizes(viewer):
    """The desktop takes each size that the viewer asks for, and shows something in all of it."""
    for width, height in ((1024, 768), (1600, 900), (800, 600), (1280, 720)):
        viewer.ask("resize %d %d" % (width, height))
        wait_for(lambda: viewer.ask("size") == "%d %d" % (width, height), "the desktop is %dx%d" % (width, height))
        viewer.ask("quiet 500")
        picture = viewer.picture()
        corner = picture.crop(width - 64, height - 32, width, height)
        assert picture.colours() > 50 and corner.colours() > 1, "a size that is not drawn to its corner"
    viewer.ask("resize 65535 65535")
    viewer.ask("quiet 500")
    assert viewer.ask("size") == "1280 720", "a size out of bounds was taken"


def keys(host, viewer):
    """Each key is pressed and released once, in order, by evdev's numbers (us layout)."""
    before = console(host, "alice").count("key:")
    viewer.ask("type aZ1")
    wait_console(host, "alice", "key: 2 up")
    lines = re.findall(r"key: (\d+) (down|up)", console(host, "alice"))[before:]
    assert [line for line in lines if line[0] not in ("42", "54")] == [
        ("30", "down"), ("30", "up"), ("44", "down"), ("44", "up"), ("2", "down"), ("2", "up")], lines
    shifts = [line for line in lines if line[0] in ("42", "54")]
    assert len(shifts) == 2 and shifts[0][1] == "down" and shifts[1][1] == "up", lines


def held_keys(host, viewer):
    """A key that is held when the viewer goes away is released."""
    viewer.ask("key 62 1")
    wait_console(host, "alice", "key: 48 down")
    viewer.vanish()
    wait_console(host, "alice", "key: 48 up")


def pointer(host, viewer):
    """20 places, to the pixel."""
    for step in range(20):
        x, y = 13 + step * 61, 7 + (step * 137) % 700
        viewer.ask("pointer %d %d 0" % (x, y))
        wait_console(host, "alice", "ptr: %d %d " % (x, y), timeout=10)
    viewer.ask("pointer 640 360 8")
    viewer.ask("pointer 640 360 0")
    wait_console(host, "alice", "wheel: ")


with Host(desktop={"command_line": "demo.app=inputtest demo.echo=1", "disconnect_grace": "60s"}) as host:
    viewer = host.login("alice")
    wait_ready(host, "alice")
    viewer.ask("quiet 500")
    sizes(viewer)
    keys(host, viewer)
    pointer(host, viewer)
    held_keys(host, viewer)
print("ok")
