"""Maths shared by kernels: compilation, segments, distributions, loss functions."""
