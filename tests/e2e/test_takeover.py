"""A login while connected elsewhere takes the session over: the old viewer is told in words and closed."""

from desk import EDITOR, clock_area, wait_ready
from host import Host, need_kvm

need_kvm()

with Host(desktop=EDITOR) as host:
    first = host.login("alice")
    wait_ready(host, "alice")
    first.ask("pointer 5 300 0")
    first.ask("type moved")
    first.ask("quiet 1500")
    before = first.picture()
    pid = host.session("alice")["pid"]

    second = host.login("alice")
    second.ask("quiet 1500")
    box = before.difference(second.picture(), clock_area(before.width, before.height))
    assert box is None, "the desktop changed in %s on its way to the other terminal" % (box,)

    # The old viewer sees a caption before its connection ends.
    caption = first.wait_picture(lambda p: p.difference(before), "a caption on the old terminal", 10)
    assert caption.difference(before)
    assert first.gone(15), "the old viewer is still connected"
    session = host.session("alice")
    assert session["pid"] == pid, "a takeover restarts nothing"
    assert session["state"] == "active" and len(session["viewers"]) == 1, session
    second.ask("type x")
print("ok")
