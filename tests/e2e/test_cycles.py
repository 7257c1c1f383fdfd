"""50 times suspended and resumed, with a memory pattern that the guest checks after each; files and time do not grow."""

import os
import statistics

from desk import wait_console, wait_ready
from host import Host, need_kvm

need_kvm()
CYCLES = int(os.environ.get("TANMATSU_CYCLES", "50"))

with Host(desktop={"command_line": "demo.pattern=16", "disconnect_grace": "0s"}) as host:
    viewer = host.login("alice")
    wait_ready(host, "alice")
    viewer.close()
    took, sizes = [], []
    for cycle in range(1, CYCLES + 1):
        session = host.wait_state("alice", "saved")
        sizes.append(session["snapshot_bytes"])
        took.append(host.tanmatsu("resume", "alice", json_output=True)["took_us"])
        wait_console(host, "alice", "pattern: ok 16 MiB", cycle)
        assert "BAD" not in host.tanmatsu("logs", "alice", "--kind", "console").text
        host.tanmatsu("suspend", "alice")
    assert host.wait_state("alice", "saved")["resumes"] == CYCLES
    folder = host.state / "sessions/alice"
    generations = [name for name in os.listdir(folder) if name.startswith("gen.")]
    # As many layers as a chain may have (vmm/ram.h), and those that wait for being deleted.
    assert len(generations) <= 27, generations
    early, late = statistics.median(took[:10]), statistics.median(took[-10:])
    print("resume: first ten %.1f ms, last ten %.1f ms; on disk %d KiB, then %d KiB" % (
        early / 1000, late / 1000, sizes[0] // 1024, sizes[-1] // 1024))
    assert sizes[-1] < 3 * max(sizes[:5]), sizes
print("ok")
