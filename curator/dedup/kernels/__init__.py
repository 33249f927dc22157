"""Kernels that numba compiles: text to words to shingles to signatures, buckets, joins and verification.

They take C pointers and write into memory that the caller made, so their machine code needs neither numba nor Python
to run: `curator.dedup.native` compiles it once, keeps it on disk and calls it without the interpreter lock. Each
function is plain Python; with numpy arrays for pointers it runs uncompiled.
"""
