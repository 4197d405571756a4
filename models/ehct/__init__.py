"""EHCT: a Transformer over the joints of a frame that knows hyperedges, with convolution over time."""
