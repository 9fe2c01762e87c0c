"""Measurements that anyone can make again: the engine against the plain way, searches together against alone, the store.

Each module has a function that measures and returns a plain dictionary; `report` prints any of them. Random weights stand in
for models, so cost and equality are measured, never quality. The metric is the process's CPU time, with wall time beside
it: on a machine that is shared, wall time measures the neighbours.
"""
