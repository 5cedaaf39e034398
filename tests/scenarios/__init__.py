"""Plays worked cases from files of scenarios against the engine's public methods."""
