"""What tests share: clocks, stores, factories and assertions."""
