"""The floor that all stations of the competition stand on."""
