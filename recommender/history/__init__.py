"""What people watched elsewhere: exports of other sites, read and matched with the catalogue."""
