"""What is stored about one person, put together for them: asked for, collected by a job, downloaded, and gone."""
