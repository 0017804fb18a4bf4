"""Where a work comes from: sources, assets, steps, seals, verdicts."""
