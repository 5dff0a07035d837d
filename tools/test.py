"""`make test`: every test there is, on everything the machine has, and at the end what ran, what did not, and how much
of the code's branches the tests on SQLite reached.

    python -m tools.test           what this machine can run; parts that it cannot are named at the end
    python -m tools.test quick     unit and integration tests on SQLite, nothing else

With REQUIRE_ALL=1 (.ci/run) nothing may be left out: missing packages are installed, missing servers are started,
and a part or a single test that did not run is a failure.
"""

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tools.browsers import HEADLESS_SHELL, find_browser
from tools.servers import CannotServe, Postgres, Redis, postgres_answers, redis_answers

ROOT = Path(__file__).resolve().parent.parent
REQUIRE_ALL = os.environ.get("REQUIRE_ALL") == "1"
LOCAL_POSTGRES = ("postgres://root@127.0.0.1:5432/postgres", "postgres://postgres@127.0.0.1:5432/postgres")
LOCAL_REDIS = "redis://127.0.0.1:6379/9"  # an index that nothing else uses by default
# Debian package: the commands of which one is enough
PACKAGES = {
    "chromium-headless-shell": (HEADLESS_SHELL,),
    "gettext": ("msgfmt",),
}
SERVER_PACKAGES = {
    "chromium": (
        "chromium",
        "chromium-browser",
        "google-chrome",
    ),  # for the one test that the shell cannot do
    "redis-server": ("redis-server", "valkey-server"),
    "postgresql": ("pg_lsclusters",),
    "nginx-light": ("nginx",),
    "dovecot-imapd": ("dovecot",),
}
# pytest-xdist: one process for each processor, and no more than four, because each opens its own database and pool.
SPREAD = ("-n", "auto", "--maxprocesses=4", "--dist=worksteal")
MEASURED = ("--cov", "--cov-report=")  # pytest-cov: writes .coverage, prints nothing
MODULES_SHOWN = 10


@dataclass
class Part:
    name: str
    arguments: Sequence[str] = ()
    env: dict[str, str] = field(default_factory=dict)
    missing: str = ""  # why it cannot run here, and how to get it
    closing: str = ""  # the last line that pytest printed
    failed: bool = False

    def run(self) -> None:
        print(f"\n===== {self.name}", flush=True)
        if self.missing:
            print(f"not run: {self.missing}", flush=True)
            self.failed = REQUIRE_ALL
            return
        env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        command = [sys.executable, "-m", "pytest", "-q", "-rfEs", *self.arguments]
        with subprocess.Popen(
            command, cwd=ROOT, env=env | self.env, stdout=subprocess.PIPE, text=True
        ) as process:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                self.closing = line.strip() or self.closing
        self.failed = process.returncode != 0
        if REQUIRE_ALL and (skipped := re.search(r"(\d+) skipped", self.closing)):
            self.failed = True
            self.closing += f"  ({skipped[1]} skipped, and here every test must run)"


def install(packages: Mapping[str, tuple[str, ...]]) -> None:
    """Install the Debian packages whose commands are missing. Does nothing unless run as root on Debian; the last lines
    of `make test` say what is still missing."""
    wanted = [package for package, commands in packages.items() if not any(map(shutil.which, commands))]
    if not wanted or os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        return
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "-q"]
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*apt, "update"], env=env, check=False, stdout=subprocess.DEVNULL)
    for package in wanted:  # one by one: a distribution that lacks one may have the next
        print("+ apt-get install", package, flush=True)
        subprocess.run([*apt, "install", "-y", "--no-install-recommends", package], env=env, check=False)


def find_postgres(stack: ExitStack) -> str:
    """Return the URL of the server that DATABASE_URL names, else of the local one, else, with REQUIRE_ALL, of one that
    this starts. "" if there is none, or if the named one does not answer."""
    if named := os.environ.get("DATABASE_URL", ""):
        return named if named.startswith("postgres") and postgres_answers(named) else ""
    for url in LOCAL_POSTGRES:
        if postgres_answers(url):
            return url
    return stack.enter_context(Postgres()).url if REQUIRE_ALL else ""


def find_redis(stack: ExitStack) -> str:
    if named := os.environ.get("REDIS_URL", ""):
        return named if redis_answers(named) else ""
    if redis_answers(LOCAL_REDIS):
        return LOCAL_REDIS
    return stack.enter_context(Redis()).url if REQUIRE_ALL else ""


def on_servers(stack: ExitStack) -> Part:
    # With the slow ones, which the quick suite on SQLite leaves out
    everything = ("-m", "not e2e and not topology")
    part = Part("unit, integration and slow tests on PostgreSQL and Redis", [*SPREAD, *everything])
    try:
        found = {"DATABASE_URL": find_postgres(stack), "REDIS_URL": find_redis(stack)}
    except CannotServe as error:
        part.missing = str(error)
        return part
    if absent := [name for name, url in found.items() if not url]:
        part.missing = (
            f"no server for {' and '.join(absent)}. Start PostgreSQL on 127.0.0.1:5432 and Redis on 127.0.0.1:6379 "
            "(apt install postgresql redis-server), or name them in these variables"
        )
    part.env = found
    return part


def in_the_browser() -> Part:
    part = Part("browser journeys in Chromium", ["-m", "e2e", "e2e"])
    if not find_browser():
        part.missing = "no Chromium. apt install chromium-headless-shell, or name one in DESK_CHROMIUM"
    return part


def test_folders() -> list[str]:
    """Return the folders that pytest.ini looks for tests in. A test may be marked topology in any of them."""
    ini = configparser.ConfigParser()
    ini.read(ROOT / "pytest.ini")
    return ini["pytest"]["testpaths"].split()


def topology() -> Part:
    part = Part("topology: the product's own processes", ["-m", "topology", *test_folders(), "e2e"])
    try:
        Postgres.binary("postgres")
    except CannotServe as error:
        part.missing = str(error)
    if not any(map(shutil.which, SERVER_PACKAGES["redis-server"])):
        part.missing = part.missing or "Redis is not installed (apt install redis-server)"
    return part


def branch_coverage(folder: Path = ROOT) -> list[str]:
    """Return the branch coverage that the last measured run left in `folder`, then its least covered modules.

    It is counted in branches, not in lines, so a module without an `if` is not listed.
    """
    command = [sys.executable, "-m", "coverage", "json", "--quiet", "-o", "-"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return [f"branch coverage: not measured ({(done.stdout + done.stderr).strip()})"]
    report = json.loads(done.stdout)
    modules = {name: module["summary"] for name, module in report["files"].items()}
    branching = [name for name, summary in modules.items() if summary["num_branches"]]
    least = sorted(branching, key=lambda name: (modules[name]["percent_branches_covered"], name))
    lines = [f"branch coverage: {report['totals']['percent_branches_covered_display']} %"]
    for name in least[:MODULES_SHOWN]:
        summary = modules[name]
        percent = summary["percent_branches_covered_display"]
        lines.append(f"{percent:>5} %  {name}: {summary['covered_branches']} of {summary['num_branches']}")
    return lines


def main() -> int:
    quick = sys.argv[1:] == ["quick"]
    parts = [Part("unit and integration tests on SQLite", SPREAD if quick else SPREAD + MEASURED)]
    with ExitStack() as stack:
        if not quick:
            install(PACKAGES | SERVER_PACKAGES if REQUIRE_ALL else PACKAGES)
            parts += [on_servers(stack), in_the_browser(), topology()]
        for part in parts:
            part.run()
    print("\n===== what ran")
    for part in parts:
        print(f"{'FAILED ' if part.failed else 'not run' if part.missing else 'passed '}  {part.name}")
        if part.missing:
            print(f"         {part.missing}")
    if len(parts) == 1:
        print("not run  PostgreSQL and Redis, browser journeys, topology: make test")
    print("\n===== how pytest ended")
    for part in parts:
        print(part.closing or f"{part.name}: not run")
    if not quick:
        print("\n===== what the tests on SQLite reached, least covered modules first")
        print("\n".join(branch_coverage()))
    return any(part.failed for part in parts)


if __name__ == "__main__":
    sys.exit(main())
