"""The one door to the EVM: intents in, contract events out."""
