"""Data protection over the whole of Anju: every table and form is tagged, and the public notice is made of the tags."""
