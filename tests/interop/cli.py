"""The program as the tests run it."""
import os
import pathlib
import subprocess

ROOT = pathlib.Path(os.environ.get("STRATA_ROOT") or pathlib.Path(__file__).resolve().parents[2])
STRATA = os.environ.get("STRATA") or str(ROOT / "build/strata")
PLAIN = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "TERM")}


def run(*arguments, env=None, **options):
    """Runs the program; what it gave, as text, and its exit code."""
    return subprocess.run([STRATA, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=120,
                          env={**PLAIN, "LC_ALL": "C.UTF-8", **(env or {})}, **options)
