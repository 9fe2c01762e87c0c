"""Measurements that anyone can make again: the engine against the plain way, searches together against alone, int8, the store.

Each module has a function that measures and returns a plain dictionary; `report` prints any of them. Random weights stand in
for models where cost and equality are all that is asked; `quantize` measures quality too, on the bundled ones. The metric is
the process's CPU time, with wall time beside it: on a machine that is shared, wall time measures the neighbours.
"""
