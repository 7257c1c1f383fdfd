"""What TigerVNC's viewer shows equals the desktop, pixel for pixel: every encoding it knows, and JPEG once it rests."""

from desk import EDITOR, clock_area, wait_ready
from host import Host, need_kvm, need_programs, wait_for
from pictures import Picture

need_kvm()
need_programs("xtigervncviewer", "Xvfb", "xdotool", "import", "convert")

WIDTH, HEIGHT = 1280, 720
EXACT = ["-AutoSelect=0", "-NoJPEG=1", "-RemoteResize=0"]
VIEWERS = [
    ("Tight with JPEG", ["-AutoSelect=0", "-PreferredEncoding=Tight", "-QualityLevel=3", "-RemoteResize=0"]),
    ("Tight", EXACT + ["-PreferredEncoding=Tight"]),
    ("ZRLE", EXACT + ["-PreferredEncoding=ZRLE"]),
    ("Hextile", EXACT + ["-PreferredEncoding=Hextile"]),
    ("Raw", EXACT + ["-PreferredEncoding=Raw"]),
]


def difference(host, window):
    """The box in which the viewer's window and the desktop differ, or None."""
    shot, desktop = host.folder / "viewer.png", host.folder / "desktop.png"
    host.xvfb.run("import", "-window", window, str(shot))
    host.tanmatsu("screenshot", "alice", desktop)
    seen, real = Picture.load_png(shot), Picture.load_png(desktop)
    assert (seen.width, seen.height) == (WIDTH, HEIGHT), (seen.width, seen.height)
    assert real.colours() > 50, "the desktop shows only %d colours" % real.colours()
    return seen.difference(real, clock_area(WIDTH, HEIGHT))


with Host(size="%dx%d" % (WIDTH, HEIGHT), desktop=EDITOR) as host:
    for name, options in VIEWERS:
        viewer = host.tigervnc("alice", options=options)
        window = viewer.window()
        if name == VIEWERS[0][0]:
            wait_ready(host, "alice")
        wait_for(lambda: difference(host, window) is None, "%s: the viewer shows the desktop" % name, 15, 0.3)
        viewer.type("pixels and %s\n" % name, window)
        wait_for(lambda: difference(host, window) is None, "%s: the viewer shows what was typed" % name, 15, 0.3)
        viewer.close()
print("ok")
