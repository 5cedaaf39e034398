"""Available-to-promise and the reservation state machine."""
