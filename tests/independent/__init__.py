"""The dispatch built once more in PyPSA, a published power-system package, as a check from outside."""
