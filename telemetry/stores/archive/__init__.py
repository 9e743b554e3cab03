"""Where archived events are kept: Parquet files in a Django storage, each beside a manifest that says what is in it."""
