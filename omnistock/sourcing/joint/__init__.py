"""Orders sourced together: prices, bounds and plans for a whole batch."""
