"""The loop: feedback, corpus, release, training, evaluation; only what is better is deployed, and every step is kept."""

from curator.cycle.decide import Decision, decide_deployment
from curator.cycle.record import CycleRecord, list_cycles
from curator.cycle.run import plan_cycle, run_cycle

__all__ = ["CycleRecord", "Decision", "decide_deployment", "list_cycles", "plan_cycle", "run_cycle"]
