"""Pages of provenance: media, studio, upload, verify and the registry."""
