"""What the tests know of the demo desktop: where the clock is, how its editor is opened, what it says on its serial port."""

from host import wait_for

# The panel's clock may change between two pictures; tests leave it out of comparisons.
EDITOR = {"command_line": "demo.app=editor demo.echo=1"}
TERMINAL = {"command_line": "demo.app=terminal demo.echo=1"}


def clock_area(width, height):
    """The panel's clock, as the demo desktop lays it out: right half of the panel."""
    return [(width // 2, 0, width, 40), (width // 2, height - 48, width, height)]


def console(host, user):
    """Everything the desktop has written to its serial port."""
    return host.tanmatsu("logs", user, "--kind", "console").text


def wait_console(host, user, text, count=1, timeout=30):
    wait_for(lambda: console(host, user).count(text) >= count, "%s's desktop says %r" % (user, text), timeout, 0.1)


def wait_ready(host, user):
    wait_console(host, user, "tanmatsu-demo: ready")
