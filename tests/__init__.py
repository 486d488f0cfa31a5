"""The suite: rules without a store, slices from HTTP to the store, and proofs about the whole tree."""
