// Takes the place of the theme's 1.5 MB of icons; site.css draws the dozen that the site shows.
