"""What the browser tests time: kept, written to `latencies.json`, printed at the end of
the session.
"""

import json
from dataclasses import asdict, dataclass

import numpy as np


@dataclass
class Latency:
    """Milliseconds from an event to the changed picture, and to an echo that needs no
    kernel: the floor.
    """

    n: int
    p50: float
    p95: float
    floor_p50: float | None = None
    floor_p95: float | None = None

    @classmethod
    def of(cls, milliseconds, floor=None):
        """Return the percentiles of measured times and of the same page's floor."""
        percentiles = [
            np.percentile(times, (50, 95)).tolist()
            for times in (milliseconds, floor)
            if times
        ]
        return cls(len(milliseconds), *sum(percentiles, []))

    @property
    def ratio(self):
        """How many times the floor the median is: comparable between slow and fast
        machines.
        """
        return self.p50 / self.floor_p50


class Latencies(dict):
    """The session's latencies by name."""

    def save(self, path):
        """Write all of them as JSON."""
        content = {name: asdict(latency) for name, latency in self.items()}
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    def lines(self):
        """Return the table for people."""
        for name, latency in self.items():
            line = f"{name:60} p50 {latency.p50:7.0f}  p95 {latency.p95:7.0f} ms  n {latency.n:3}"
            yield line + (
                f"  {latency.ratio:4.1f} × the floor" if latency.floor_p50 else ""
            )
