"""How every benchmark reports: a row a figure, ours beside the peers', as a table or as JSON."""

import argparse
import json
import statistics


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def median(values):
    return statistics.median(values)


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print a list of objects instead of a table")
    parser.add_argument("--rounds", type=int, default=20, help="repetitions of each measurement")
    parser.add_argument("--quick", action="store_true", help="5 repetitions")
    options = parser.parse_args()
    if options.quick:
        options.rounds = 5
    return options


class Report:
    """Figures in the order in which they were added. Lower is better unless `higher` is set."""

    def __init__(self):
        self.rows = []

    def add(self, figure, unit, ours, peers=None, target=None, higher=False):
        peers = {name: round(value, 3) for name, value in (peers or {}).items() if value is not None}
        reached = None
        if target is not None and ours is not None:
            reached = ours >= target if higher else ours <= target
        self.rows.append({"figure": figure, "unit": unit, "ours": None if ours is None else round(ours, 3),
                          "peers": peers, "target": target, "reached": reached})

    def print(self, as_json):
        if as_json:
            print(json.dumps(self.rows, indent=1))
            return
        names = sorted({name for row in self.rows for name in row["peers"]})
        head = ["figure", "unit", "ours"] + names + ["ratio", "target", ""]
        lines = [head]
        for row in self.rows:
            ratio = ""
            if len(row["peers"]) and row["ours"]:
                ratio = "%.3g" % (row["ours"] / list(row["peers"].values())[0])
            lines.append([row["figure"], row["unit"], self.number(row["ours"])]
                         + [self.number(row["peers"].get(name)) for name in names]
                         + [ratio, self.number(row["target"]), {True: "yes", False: "no", None: ""}[row["reached"]]])
        widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
        for line in lines:
            print("  ".join(cell.ljust(width) if i < 2 else cell.rjust(width)
                            for i, (cell, width) in enumerate(zip(line, widths))).rstrip())

    @staticmethod
    def number(value):
        return "-" if value is None else "%.3g" % value if abs(value) < 100 else "%.0f" % value
