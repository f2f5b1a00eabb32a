"""A soak: many kills at random moments of real runs, each cube compared with an undisturbed one; `make soak`."""
