"""What the first metric, the first client and `periodkit --help` take beside `import pandas`, each in new processes."""

import os
import statistics
import subprocess
import sys
import tempfile

FRAME = """
t = pandas.to_datetime(["2024-07-01T19:00Z", "2024-07-01T19:30Z"]).as_unit("us")
actions = pandas.DataFrame({"created_time": t[:1], "closed_time": t[1:], "status": "closed", "fetched_at": t[1:]})
"""
WAYS = {
    "import periodkit; pk.cycle_times": "import periodkit; periodkit.cycle_times",
    "import periodkit; pk.Client": "import periodkit; periodkit.Client",
    "import periodkit; pk.cycle_times(actions)": "import periodkit; periodkit.cycle_times(actions)",
}
# Processor time, which other work on the machine moves less.
TIMED = """
import time
began = time.process_time()
import pandas
loaded = time.process_time()
{before}
ready = time.process_time()
{code}
print(loaded - began, time.process_time() - ready)
"""


def run(code, environment):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


def main(rounds):
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    with tempfile.TemporaryDirectory() as folder:
        # As an installed package has it.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = folder
        found = {name: [] for name in WAYS}
        for warm in range(rounds + 1):
            for name, code in WAYS.items():
                before = FRAME if "actions" in code else ""
                pandas, ours = map(float, run(TIMED.format(before=before, code=code), environment).split())
                if warm:
                    found[name].append((pandas, (pandas + ours) / pandas))
    for name, runs in found.items():
        seconds, ratio = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"  {name}: {ratio:.2f} x import pandas ({seconds:.2f} s)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
