"""What each running process has given up: its uid, new privileges, capabilities, files, and most system calls."""

import os

from desk import wait_ready
from host import Host, need_kvm

need_kvm()


def status(pid):
    with open("/proc/%d/status" % pid) as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


with Host() as host:
    viewer = host.login("alice")
    wait_ready(host, "alice")
    root = os.geteuid() == 0
    uids = {}
    for name in ("tanmatsu-vmm", "tanmatsu-display"):
        pids = host.processes(name)
        assert len(pids) == 1, (name, pids)
        fields = status(pids[0])
        assert fields["Seccomp"] == "2", (name, fields["Seccomp"])
        assert fields["NoNewPrivs"] == "1", name
        assert int(fields["CapEff"], 16) == 0 and int(fields["CapBnd"], 16) == 0 or not root, (name, fields["CapEff"])
        if root:
            uid = int(fields["Uid"].split()[1])
            assert uid != 0, "%s runs as root" % name
            assert fields["Groups"].strip() in ("", fields["Gid"].split()[1]), (name, fields["Groups"])
            uids[name] = uid
            assert os.listdir("/proc/%d/root/" % pids[0]) == [], "%s sees files" % name
        # Only what it was given: no descriptor of a directory, no listener on the network.
        for fd in os.listdir("/proc/%d/fd" % pids[0]):
            target = os.readlink("/proc/%d/fd/%s" % (pids[0], fd))
            assert not os.path.isdir(target) or target.startswith(("socket:", "anon", "pipe:")), (name, target)
    if root:
        assert uids["tanmatsu-vmm"] != uids["tanmatsu-display"], uids
        daemons = [status(pid) for pid in host.processes("tanmatsu-hostd")]
        assert len(daemons) == 2, "monitor and broker"
        assert sorted(int(d["Uid"].split()[1]) == 0 for d in daemons) == [False, True], "one of them is root"
    for pid in host.processes("tanmatsu-hostd"):
        assert status(pid)["NoNewPrivs"] == "1" or (root and status(pid)["Uid"].split()[1] == "0"), pid
print("ok")
