"""What a message costs: sixgate and others, measured by turns under the same load. tests/bench/run is the command."""
