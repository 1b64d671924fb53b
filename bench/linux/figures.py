"""Ratios of pairs, their bootstrap intervals, and the table that docs/performance.md shows."""
import collections
import math
import random
import statistics

BEGIN, END = "<!-- beside Linux -->\n", "<!-- end of beside Linux -->\n"
RESAMPLES = 10000


def geometric(values):
    return math.exp(statistics.fmean(math.log(v) for v in values))


def interval(ratios, seed=1):
    """The 95 % bootstrap interval of the geometric mean."""
    if len(ratios) < 2:
        return None
    rng, logs = random.Random(seed), [math.log(r) for r in ratios]
    means = sorted(statistics.fmean(rng.choices(logs, k=len(logs))) for _ in range(RESAMPLES))
    return math.exp(means[int(RESAMPLES * 0.025)]), math.exp(means[int(RESAMPLES * 0.975) - 1])


def ratios(results, kind, base):
    """{cell: [goodput of `kind` over that of `base`, pair by pair]}."""
    rates = {(r["cell"], r["pair"], r["kind"]): r["goodput_bps"] for r in results}
    out = collections.defaultdict(list)
    for (cell, pair, what), rate in sorted(rates.items()):
        if what == kind and (cell, pair, base) in rates:
            out[cell].append(max(rate, 1) / max(rates[cell, pair, base], 1))
    return out


def shown(values):
    if not values:
        return "-"
    bounds = interval(values)
    return f"{geometric(values):.3f}" + (f" ({bounds[0]:.3f}..{bounds[1]:.3f})" if bounds else "")


def spread(values):
    return f"{min(values):.2f}..{max(values):.2f}" if values else "-"


def together(results, cells):
    """The shares of two flows over one link, and how far Linux's own two differ."""
    lines = []
    for cell in cells:
        ours, linux = ([r["share"] for r in results if r["cell"] == cell.name and r["kind"] == kind]
                       for kind in ("fair", "fairLL"))
        if ours:
            seconds = max(r["seconds"] for r in results if r["cell"] == cell.name and r["kind"] == "fair")
            lines.append(f"| {cell.delay_ms} ms | {seconds:g} s | {len(ours)} | {shown(ours)} | {spread(ours)} "
                         f"| {shown(linux)} | {spread(linux)} |")
    if lines:
        lines = ["", "| one-way delay | time | pairs | Strata's goodput over Linux's | least and most | Linux over Linux "
                 "| least and most |", "|---:|---:|---:|---:|---:|---:|---:|", *lines, "",
                 "One flow of each, sharing the link without loss: the shares of the last two thirds of the time. One and the",
                 "other begins first, by turns; the last columns are two flows of Linux's, measured the same way."]
    return lines


def table(results, cells, seconds):
    """Lines of markdown."""
    kinds = (("SL", "Strata sends"), ("LS", "Strata receives"))
    by_kind = {kind: ratios(results, kind, "LL") for kind, _ in kinds}
    lines = ["| loss | one-way delay | pairs | Linux, Mbit/s | " + " | ".join(name for _, name in kinds) + " |",
             "|---:|---:|---:|---:|---:|---:|"]
    all_ratios = collections.defaultdict(list)
    for cell in cells:
        linux = [r["goodput_bps"] / 1e6 for r in results if r["cell"] == cell.name and r["kind"] == "LL"]
        if not linux:
            continue
        found = [by_kind[kind].get(cell.name, []) for kind, _ in kinds]
        for (kind, _), values in zip(kinds, found):
            all_ratios[kind] += [geometric(values)] if values else []
        lines.append(f"| {cell.loss:g} % | {cell.delay_ms} ms | {max(map(len, found))} | {statistics.median(linux):.2f} | "
                     + " | ".join(map(shown, found)) + " |")
    means = [f"{geometric(all_ratios[kind]):.3f}" if all_ratios[kind] else "-" for kind, _ in kinds]
    lines.append("| all | | | | " + " | ".join(means) + " |")
    lines += ["", f"Goodput of {seconds:g} s against that of Linux to Linux over the same link with the same seed: geometric",
              "mean of the pairs' ratios, and its 95 % bootstrap interval."]
    lines += together(results, cells)
    return lines


def write(page, lines):
    """Puts the table between its two marks."""
    with open(page) as file:
        text = file.read()
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    with open(page, "w") as file:
        file.write(head + BEGIN + "\n".join(lines) + "\n" + END + tail)
