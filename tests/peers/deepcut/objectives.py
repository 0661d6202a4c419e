"""What solvers of the correlation and of the N-cut objective reach on the same graphs of images.

    cargo build --release -p segcut-cli --example objectives
    python tests/peers/deepcut/objectives.py target/release/examples/objectives IMAGE…
"""

import csv
import statistics
import subprocess
import sys


def main():
    out = subprocess.run(sys.argv[1:], check=True, capture_output=True, text=True).stdout
    groups = {}
    for row in csv.DictReader(out.splitlines()):
        groups.setdefault((row["graph"], row["objective"], row["solver"]), []).append(row)
    print("| graph | objective | solver | mean value | least | most | mean clusters | images in one cluster | median ms |")
    print("|---|---|---|---|---|---|---|---|---|")
    for (graph, objective, solver), rows in groups.items():
        values = [float(row["value"]) for row in rows]
        clusters = [int(row["clusters"]) for row in rows]
        milliseconds = statistics.median(1000 * float(row["seconds"]) for row in rows)
        print(
            f"| {graph} | {objective} | {solver} | {statistics.mean(values):.3f} | {min(values):.3f} | {max(values):.3f} "
            f"| {statistics.mean(clusters):.1f} | {clusters.count(1)} of {len(rows)} | {milliseconds:.2f} |"
        )


if __name__ == "__main__":
    main()
