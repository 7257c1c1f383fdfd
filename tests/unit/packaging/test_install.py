"""`cmake --install` with DESTDIR: everything is where it belongs, units and scripts hold, nothing names the build tree."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

source, build = map(pathlib.Path, sys.argv[1:3])
PREFIX = "/usr"
EXPECTED = """
usr/bin/tanmatsu
usr/sbin/tanmatsu-hostd
usr/libexec/tanmatsu/tanmatsu-auth
usr/libexec/tanmatsu/tanmatsu-display
usr/libexec/tanmatsu/tanmatsu-vmm
usr/lib/systemd/system/tanmatsu.service
usr/lib/systemd/system/tanmatsu.socket
usr/lib/sysusers.d/tanmatsu.conf
usr/lib/tmpfiles.d/tanmatsu.conf
usr/share/bash-completion/completions/tanmatsu
usr/share/zsh/vendor-completions/_tanmatsu
usr/share/fish/vendor_completions.d/tanmatsu.fish
usr/share/man/man1/tanmatsu.1
usr/share/man/man5/tanmatsu.conf.5
usr/share/man/man8/tanmatsu-hostd.8
usr/share/man/man8/tanmatsu-auth.8
usr/share/man/man8/tanmatsu-display.8
usr/share/man/man8/tanmatsu-vmm.8
etc/pam.d/tanmatsu
etc/tanmatsu/tanmatsu.conf
""".split()

stage = pathlib.Path(tempfile.mkdtemp(prefix="tanmatsu-install-"))


try:
    # The programs are those of the build under test; only the paths are looked at here, not what they were compiled with.
    subprocess.run(["cmake", "--install", build, "--prefix", PREFIX], check=True, stdout=subprocess.DEVNULL,
                   env=dict(os.environ, DESTDIR=str(stage)))
    installed = {str(path.relative_to(stage)) for path in stage.rglob("*") if not path.is_dir()}
    missing = [path for path in EXPECTED if path not in installed]
    further = sorted(installed - set(EXPECTED))
    assert not missing, "not installed: %s" % missing
    assert not further, "installed, but by no plan: %s" % further
    for path in ("usr/bin/tanmatsu", "usr/sbin/tanmatsu-hostd", "usr/libexec/tanmatsu/tanmatsu-vmm"):
        assert os.access(stage / path, os.X_OK), path
    version = subprocess.check_output([stage / "usr/bin/tanmatsu", "--version"], text=True)
    assert version.startswith("tanmatsu "), version

    # Somebody's configuration stays as it is.
    for name in ("etc/tanmatsu/tanmatsu.conf", "etc/pam.d/tanmatsu"):
        (stage / name).write_text("# mine\n")
    subprocess.run(["cmake", "--install", build, "--prefix", PREFIX], check=True, stdout=subprocess.DEVNULL,
                   env=dict(os.environ, DESTDIR=str(stage)))
    for name in ("etc/tanmatsu/tanmatsu.conf", "etc/pam.d/tanmatsu"):
        assert (stage / name).read_text() == "# mine\n", name

    # The default configuration holds, and sets nothing: every line of it is a comment or a section.
    default = (source / "packaging/tanmatsu.conf").read_text()
    for line in default.split("\n"):
        assert not line or line.startswith(("#", "[")), line
    printed = subprocess.run([build / "hostd/tanmatsu-hostd", "--check-config", "--config", source / "packaging/tanmatsu.conf"],
                             check=True, stdout=subprocess.PIPE, text=True).stdout

    # What it says of the defaults is so, and no option is left out.
    told = dict(re.findall(r"^#(?!\[)([a-z_]+) = ?(.*)$", default[:default.index("#[user alice]")], re.M))
    holds = dict(re.findall(r"^([a-z_]+) = ?(.*)$", printed, re.M))
    if os.geteuid() != 0:
        for name in ("unix", "control", "state", "runtime"):
            holds[name] = told[name]
    holds.pop("helpers", None)  # of a user
    assert told == holds, "packaging/tanmatsu.conf: %s" % sorted(set(told.items()) ^ set(holds.items()))

    if shutil.which("systemd-analyze"):
        # The unit names a program that is not installed on this machine: a copy of the unit names one that is.
        units = stage / "units"
        units.mkdir()
        for name in ("tanmatsu.service", "tanmatsu.socket"):
            text = (stage / "usr/lib/systemd/system" / name).read_text()
            assert "@" not in text.replace("@system", ""), name
            lines = ["ExecStart=/bin/true" if line.startswith("ExecStart=") else line for line in text.split("\n")]
            lines = [line for line in lines if not line.startswith("Documentation=")]
            (units / name).write_text("\n".join(lines))
        checked = subprocess.run(["systemd-analyze", "verify", units / "tanmatsu.service", units / "tanmatsu.socket"],
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        complaints = [line for line in checked.stdout.split("\n") if "tanmatsu" in line]
        assert not complaints, complaints
finally:
    shutil.rmtree(stage, ignore_errors=True)
print("ok")
