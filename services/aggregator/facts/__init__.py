"""Facts: the latest that is known of each visit and each response, from which every figure is made (事实)."""
