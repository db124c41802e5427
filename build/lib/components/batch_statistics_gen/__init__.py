"""TFX component: TFDV's statistics over whole batches, of all rows or of a sample."""
