# SPDX-License-Identifier: MIT
"""How far a comparison has come and how long it will still take."""

import statistics
import time


class Progress:
    """keys: one for each run of a round, in any order. A round that would end after limit_s is not
    begun; no limit: 0."""

    def __init__(self, keys, rounds, limit_s, clock=time.monotonic):
        self.keys = list(keys)
        self.rounds = rounds
        self.limit_s = limit_s
        self.clock = clock
        self.began = clock()
        self.round = 0
        self.round_began = self.began
        self.longest_s = 0.0  # of the rounds that are over
        self.last = self.began
        self.seconds = {}  # by key, of its last run
        self.done = []  # keys of this round

    def may_begin(self):
        """Begin another round, if there is one left and time for it."""
        if self.round == self.rounds:
            return False
        now = self.clock()
        if self.limit_s and self.round and now + self.longest_s > self.began + self.limit_s:
            return False
        self.round += 1
        self.round_began = self.last = now
        self.done = []
        return True

    def end_round(self):
        self.longest_s = max(self.longest_s, self.clock() - self.round_began)

    def run_done(self, key):
        now = self.clock()
        self.seconds[key] = now - self.last
        self.last = now
        self.done.append(key)

    def left_s(self):
        """From what each key took last; one that has not run yet takes as much as the others."""
        mean = statistics.fmean(self.seconds.values()) if self.seconds else 0
        costs = {key: self.seconds.get(key, mean) for key in self.keys}
        round_s = sum(costs.values())
        left_s = round_s - sum(costs[key] for key in set(self.done))
        passed_s = self.clock() - self.began
        for _ in range(self.round, self.rounds):
            if self.limit_s and passed_s + left_s + round_s > self.limit_s:
                break
            left_s += round_s
        return max(left_s, 0)

    def text(self):
        left_s = self.left_s()
        left = f"{left_s / 60:.0f} min" if left_s >= 90 else f"{left_s:.0f} s"
        return f"round {self.round}/{self.rounds}, {len(self.done)}/{len(self.keys)}, {left} left"
