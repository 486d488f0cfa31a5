"""Ratios, not seconds: the service and a yardstick side by side on one machine, in rounds that alternate (``python -m benchmarks``).

Machines are shared and noisy, so what counts is how the service compares with ``bare``, the smallest FastAPI application that answers the
same body, measured within the same seconds on the same core. Beside the rates on the wall clock stand the requests per second of processor
time, which hold still when somebody else uses the machine. Nothing here is a test, and no test asserts a time.
"""
