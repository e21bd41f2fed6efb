"""``reelwise bench``: how quick the product is, over films and swipes, beside a plain stack."""
