"""Small services of the shape of real products, for the recipes of the profiles."""
