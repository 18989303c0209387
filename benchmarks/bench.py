"""Figures of the addon, each beside its rival in the same run: README.md explains them.

    ./dev bench [--quick] [names]

Each name runs in a process of its own; without names all of them do. A ratio is how
many times the rival's time ours is, or its rate, as the row says.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

BENCHES = {
    "rows": "bench_mass:rows",
    "draft": "bench_mass:draft",
    "equal": "bench_mass:equal",
    "odoo": "bench_rivals:odoo",
    "twilio": "bench_rivals:twilio",
    "statuses": "bench_rivals:statuses",
    "snapshot": "bench_mass:snapshot",
    "memory": "bench_mass:memory",
    "click": "bench_click:click",
    "servers": "bench_click:servers",
    "journal": "bench_journal:journal",
    "sheets": "bench_mass:sheets",
}


# Characters of the first column.
WIDTH = 64


def parse_options():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", required=True, help="Odoo's configuration")
    parser.add_argument("--database", required=True, help="to be copied")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--inner", action="store_true", help="in this process")
    parser.add_argument("names", nargs="*", help=", ".join(BENCHES))
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHES):
        parser.error(f"no such bench: {', '.join(sorted(unknown))}")
    return options


def main():
    options = parse_options()
    if options.inner:
        return run_inner(options)
    codes = []
    print(f"{'':<{WIDTH}}{'ours':>10}{'rival':>10}{'ratio':>8}{'aim':>8}")
    for name in options.names or BENCHES:
        codes.append(run_one(options, name))
        if codes[-1]:
            print(f"{name}: ended with code {codes[-1]}", flush=True)
    return int(any(codes))


def run_one(options, name):
    """Run one bench in a process of its own, print its rows; return its exit code."""
    command = [sys.executable, __file__, "--inner", name, "--config", options.config]
    command += ["--database", options.database]
    command += ["--quick"] * options.quick
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.startswith("ROW "):
                show(json.loads(line[4:]))
            else:
                print(line, end="", file=sys.stderr)
    return process.returncode


def show(row):
    rival = "" if row["rival"] is None else f"{row['rival']:.2f}"
    ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
    missed = "" if row["reached"] else "  aim missed"
    line = f"{row['what']:<{WIDTH}}{row['ours']:>10.2f}{rival:>10}{ratio:>8}"
    print(f"{line}{row['aim']:>8}{missed}", flush=True)


def run_inner(options):
    """Run a bench on a fresh copy of the database."""
    from scripts.measuring import MeasuringCluster

    cluster = MeasuringCluster()
    copy = f"{options.database}_bench"
    cluster.copy(options.database, copy)
    options.template, options.database = options.database, copy
    options.cluster = cluster
    [name] = options.names
    module, function = BENCHES[name].split(":")
    getattr(__import__(module), function)(options)
    return 0


def put(what, ours, rival=None, *, most=None, least=None, alone=None):
    """Print a row.

    :param float ours: our figure; ``rival``: that of the rival
    :param most: the ratio may be so large, ``least``: so small
    :param alone: without a rival: our figure may be so large
    """
    ratio = ours / rival if rival else None
    aim, reached = "", True
    if most is not None:
        aim, reached = f"<={most}", ratio <= most
    elif least is not None:
        aim, reached = f">={least}", ratio >= least
    elif alone is not None:
        aim, reached = f"<={alone}", ours <= alone
    row = {"what": what, "ours": ours, "rival": rival, "ratio": ratio}
    print("ROW " + json.dumps(row | {"aim": aim, "reached": reached}), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    sys.modules["bench"] = sys.modules["__main__"]
    sys.exit(main())
