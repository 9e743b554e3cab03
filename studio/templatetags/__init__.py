"""Tags of the studio's templates."""
