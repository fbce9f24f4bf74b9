"""Who a caller is: asked at each request, learnt when the directory has changed."""
