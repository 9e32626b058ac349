"""Decides the command line of the benchmark: `python -m benchmarks`."""

import argparse
import json
import shlex
import signal
import sys
import time
from pathlib import Path

from benchmarks.measures import chosen
from benchmarks.report import document, markdown
from benchmarks.runner import run_all
from orchestrator.standalone.linux import adopt_orphans

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


def main() -> int:
    """Measure, print, write; 1 where something of ours failed."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    adopt_orphans()  # so that nothing a platform leaves behind gets lost
    try:
        outcomes = run_all(options)
    except KeyboardInterrupt:
        print("Stopped; everything that was started has ended.", file=sys.stderr)
        return 130
    how = f"`{_command()}` on {time.strftime('%Y-%m-%d %H:%M')}; parallelism and max_active_tasks {options.parallelism} for both."
    report, result = markdown(outcomes, how), json.dumps(document(outcomes, how), indent=1)
    print(report)
    if options.out:
        options.out.write_text(result + "\n")
    else:
        print(f"```json\n{result}\n```")
    if options.readme:
        write_between_markers(README, report)
    return int(any(one.failures for one in outcomes if one.platform == "ours"))


def write_between_markers(path: Path, text: str) -> None:
    """Replace what stands between the two markers. Raises ValueError where a marker is missing."""
    before, begin, rest = path.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} needs the lines {BEGIN} and {END}: the results go between them.")
    path.write_text(f"{before}{BEGIN}\n{text}{END}{after}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure this platform, and Airflow where one is named."
    )
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both", help="default: %(default)s")
    parser.add_argument("--quick", action="store_true", help="only the small runs")
    parser.add_argument(
        "--only", type=lambda text: text.split(","), default=[], metavar="NAME,...", help="e.g. idle,noop_100,chain"
    )
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="the table shows the median of N")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the JSON there instead of printing it")
    parser.add_argument("--readme", action="store_true", help="write the tables into benchmarks/README.md")
    parser.add_argument("--peer-python", type=Path, metavar="FILE", help="interpreter of an environment with apache-airflow")
    parser.add_argument("--peer-large", action="store_true", help="the runs of 5,000 and more with the peer too; takes hours")
    parser.add_argument("--parallelism", type=int, default=32, metavar="N", help="tasks at once, for both (default: %(default)s)")
    parser.add_argument(
        "--idle-seconds", type=float, default=20, metavar="N", help="rest before memory is read (default: %(default)s)"
    )
    options = parser.parse_args()
    try:
        chosen(options.only, options.quick)
    except ValueError as error:
        parser.error(str(error))
    if options.peer_python and not options.peer_python.exists():
        parser.error(f"--peer-python {options.peer_python}: there is no such file")
    return options


def _command() -> str:
    """The command as it was given, without the folders of this machine."""
    words = [word if "/" not in word else "…/" + Path(word).name for word in sys.argv[1:]]
    return shlex.join(["python", "-m", "benchmarks"]).replace("'", "") + "".join(f" {word}" for word in words)


if __name__ == "__main__":
    sys.exit(main())
