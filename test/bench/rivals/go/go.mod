module wpgate/bench/rival

go 1.24
